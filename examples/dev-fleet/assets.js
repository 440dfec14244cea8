// As vite does: builds what lies in src, again after each change, and delivers it.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

let built = "";

function build() {
  const names = fs.readdirSync("src").sort();
  const next = names.map((name) => fs.readFileSync(path.join("src", name), "utf8").trim()).join("\n");
  if (next === built) return;
  built = next;
  console.log(`built ${names.length} file(s): ${built}`);
}

build();
fs.watch("src", build);
http.createServer((request, response) => response.end(`${built}\n`)).listen(process.env.PORT, "127.0.0.1");
