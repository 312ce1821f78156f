"""The whole product as a person meets it."""
