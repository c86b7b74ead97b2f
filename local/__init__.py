"""The whole desk on one machine: the AWS engine, mail in and out, a stable address, demo data.

``python -m local`` (or ``make run``) starts it; nothing here ships to AWS.
"""
