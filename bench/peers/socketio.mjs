// Socket.IO over WebSocket: rooms are channels.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });
io.on('connection', (client) => {
  client.on('join', (room) => {
    client.join(room);
    client.emit('joined');
  });
  client.on('publish', (room, payload) => io.to(room).emit('message', payload));
});
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log(`listening on ${http.address().port}`));
