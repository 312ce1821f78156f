"""Systems outside: a Protocol each and the real one; fakes live with the tests."""
