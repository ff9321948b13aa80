"""Who did what, when and why: one row for every act of an official, a command or a job.

Invariants: the row is written in the transaction of the act, so that neither stands without the other; append-only by grant;
no personal number in clear; bound into the city's log (`backend/checkpoints`) within a minute. An act that concerns all
cities stands under `NO_CITY`.
"""
