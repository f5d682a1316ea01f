// Speaks to a server as the arguments say, and prints what came back as one line of JSON.
import { readFileSync } from "node:fs";

const [module, url, options, audio, picture] = process.argv.slice(2);
const { connect } = await import(module);
const { breaks = 0, size = 700, alone = false, late = null, ...hello } = JSON.parse(options);
const bytes = readFileSync(audio);
const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

async function speak(session) {
  for (let start = 0, count = 0; start < samples.length; start += size, count += 1) {
    await session.push(samples.subarray(start, start + size));
    if (breaks && count % breaks === 2) session._socket.close(4000);
  }
  session.end();
}

try {
  if (picture) hello.picture = readFileSync(picture);
  const session = await connect(url, hello);
  if (late === "break") {
    const before = session.isConnected;
    session._socket.close(4000);
    console.log(JSON.stringify({ connected: [before, session.isConnected] }));
    process.exit();
  }
  const speaking = speak(session);
  if (alone) await speaking;
  const values = [];
  const times = [];
  for await (const motion of session) {
    values.push(...motion.values);
    for (let k = 0; k < motion.frames; k += 1) times.push(motion.time(k));
  }
  await speaking;
  if (late === "push") await session.push(samples);
  if (late === "end") session.end();
  session.close();
  if (late === "closed") await session.push(samples);
  console.log(JSON.stringify({ welcome: session.welcome, values, times }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message, name: error.name }));
}
