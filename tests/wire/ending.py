# SPDX-License-Identifier: GPL-3.0-or-later
"""What the servers of these tests share: a connection that ends before its time."""
import http.server
import os
import socket
import struct


class Ending(http.server.BaseHTTPRequestHandler):
    def end_here(self, reset):
        """Ends the connection as it is: with FIN, or with RST."""
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        else:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
