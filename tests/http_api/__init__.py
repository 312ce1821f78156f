"""The pages and the API, asked as a browser would ask them."""
