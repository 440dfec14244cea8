// Delivers the page with what the assets are now, and counts what the worker sends.
const http = require("node:http");

let jobs = 0;

async function answer(request, response) {
  if (request.url === "/health") return response.end("ok\n");
  if (request.url === "/jobs") return response.end(`${++jobs}\n`);
  const assets = await fetch(process.env.ASSETS).then((found) => found.text(), () => "no assets\n");
  return response.end(`<h1>${assets.trim()}</h1>\n`);
}

http.createServer(answer).listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
