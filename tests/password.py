"""What everybody in tests signs in with: known to programs that have no Django of their own."""

PASSWORD = "correct horse"
