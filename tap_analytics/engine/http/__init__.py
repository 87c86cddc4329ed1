"""Requests and answers: connections, credentials, retries and rates."""
