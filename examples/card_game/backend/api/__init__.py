"""What faces the network: routes, and the services behind them."""
