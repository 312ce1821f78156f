"""The demo world: a provider with a dozen invented customers and some weeks of their report mails."""
