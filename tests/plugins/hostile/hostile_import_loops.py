"""Is never imported to the end."""

while True:
    pass
