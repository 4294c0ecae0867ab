"""The REST interface and the WebSocket."""
