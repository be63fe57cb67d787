"""What an editor asks of a `.space` file, and `nasdsl lsp`, the server that answers."""
