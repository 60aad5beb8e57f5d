"""The sections of a report, in the order a risk analyst asks: each a function of a Context."""
