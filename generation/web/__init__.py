"""What is found and read on the web. All of it was written by strangers: it is data, wherever it goes from here."""
