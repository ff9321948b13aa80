"""WeChat's server API, as much of it as the mini-program needs: who signs in, and the phone number they choose to give.

Invariants: the session key and the app's secret never leave this package; nothing of an answer is logged but its errcode.
"""
