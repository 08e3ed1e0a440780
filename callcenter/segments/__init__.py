"""Groups of customers by what they did, who they are and what they said; and the tags agents may give."""
