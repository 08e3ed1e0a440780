"""What would a trigger rule have done? The rules of the live path over stored events, with a virtual clock.

It is handed no writer. `report.report_back_test` is the way in; `replay` is the plain loop, and says what a
back-test is; `columns` finds the same faster, where it can; `store` and `frames` read the events.
"""
