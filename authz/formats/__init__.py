"""The shape of every name and secret that enters or leaves; pure, and specified before it is coded."""
