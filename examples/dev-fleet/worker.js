// Sends a job to the server every half second.
async function work() {
  const done = await fetch(`${process.env.SERVER}/jobs`).then((found) => found.text(), (error) => error.message);
  console.log(`job ${done.trim()}`);
}

setInterval(work, 500);
process.on("SIGTERM", () => process.exit(0));
