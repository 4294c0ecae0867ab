// An open-loop load generator: node load.js <url> <requests a second> <seconds> <file of requests>
//
// The file has one JSON object a line, {"body": text, "headers": {…}}; they are sent in turn, again from the first where
// there are more requests than lines.
// Each request has an intended time, given by the rate alone, and its latency counts from there: a server that stalls
// is charged for all who would have come meanwhile (no coordinated omission). Prints {"ms": […], "statuses": {…}}.
"use strict";

const fs = require("node:fs");
const http = require("node:http");

const [url, rate, seconds, file] = process.argv.slice(2);
const requests = fs.readFileSync(file, "utf8").trim().split("\n").map(JSON.parse);
const total = Math.round(Number(rate) * Number(seconds));
const gap = 1000 / Number(rate);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const ms = [];
const statuses = {};
let sent = 0;
let ended = 0;

function end(status, intended) {
  ms.push(performance.now() - intended);
  statuses[status] = (statuses[status] || 0) + 1;
  ended += 1;
  if (ended === total) {
    process.stdout.write(JSON.stringify({ ms, statuses }));
    agent.destroy();
  }
}

function send(intended, { body, headers }) {
  headers = { ...headers, "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const request = http.request(url, { method: "POST", agent, headers, timeout: 30000 }, (response) => {
    response.resume();
    response.on("end", () => end(response.statusCode, intended));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", (error) => end(error.code || error.message, intended));
  request.end(body);
}

const began = performance.now() + 200;

function tick() {
  while (sent < total && performance.now() >= began + sent * gap) {
    send(began + sent * gap, requests[sent % requests.length]);
    sent += 1;
  }
  if (sent < total) {
    setTimeout(tick, Math.max(0, began + sent * gap - performance.now()));
  }
}

tick();
