"""What was sold and awarded, added up by day and month: what pages and the public read in place of the scans themselves.

A total stands for the last decision of each scan, under the day of its sale. A day is counted anew, whole, whenever a scan of
it was decided since; counting twice changes nothing. Budgets' outlooks are kept beside, once a day.
"""
