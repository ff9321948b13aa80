"""What a city or province has set itself: a measure, how much of it, by when, and the document it stands in.

A target is never changed: a new revision follows the old, and only what is aimed at may differ; what is measured, and from when,
stays, so that its progress remains one line. Progress is measured by the system where it can be, and otherwise entered by hand
with its source. Who measures joins capabilities and stands in `usecases.measure_targets`.
"""
