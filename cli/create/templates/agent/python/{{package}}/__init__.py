"""The agent {{name}}, of kind {{kind}}."""
