"""A Singer tap for experimentation, status page, workforce, sales and e-signature APIs."""
