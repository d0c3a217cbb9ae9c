"""ADetailer: finding faces and painting them again, larger and with a prompt of their own."""
