"""Speaking HTTP: requests in, answers out, whole or spoiled on purpose."""
