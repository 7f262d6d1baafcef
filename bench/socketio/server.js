// Rooms as socket.io's documentation has them: whoever is in one hears what is sent to it, over
// the Redis adapter. It stores nothing and asks nobody whether a sender may.

import { createAdapter } from "@socket.io/redis-adapter";
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";

const publisher = createClient({ url: process.env.REDIS_URL });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer((request, response) => response.end("up"));
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  transports: ["websocket"],
  serveClient: false,
});

let id = 0;
io.on("connection", (socket) => {
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("message", ({ room, content }) => {
    id += 1;
    io.to(room).emit("message", {
      id,
      room,
      sender: socket.id,
      content,
      timestamp: new Date().toISOString(),
    });
  });
});

http.listen(Number(process.env.PORT), "127.0.0.1");
