"""The compliance gate: may this customer be called now?"""
