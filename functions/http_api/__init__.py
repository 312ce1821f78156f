"""The pages and the API. One folder a screen: its `router` is found by looking, its templates lie beside it."""
