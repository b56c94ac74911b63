"""Input that was made to cost, to stop or to mislead: tables of attacks by topic, and what runs them."""
