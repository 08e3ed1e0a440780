// A customer's way as a Node service tells it: a device nobody is known on, a sign-in, and on.
// Usage: node send.mjs <address of the collector> <write key> <user> <device>
import { Analytics } from "@segment/analytics-node";

const [host, key, user, device] = process.argv.slice(2);

const traits = { name: "Wei", phone: "+8613800138000", time_zone: "Asia/Shanghai" };
const step = (name) => ({ step: name, application_id: "a1" });
const analytics = new Analytics({ writeKey: key, host, flushInterval: 200 });
analytics.on("error", (error) => console.error(error));
// What happens in one millisecond has no order: the SDK writes times in whole ones.
const wait = () => new Promise((done) => setTimeout(done, 5));
analytics.page({ anonymousId: device, name: "Loan", properties: step("register") });
await wait();
analytics.track({ anonymousId: device, event: "sms_code_late", properties: step("register") });
await wait();
analytics.identify({ userId: user, anonymousId: device, traits });
await wait();
analytics.page({ userId: user, anonymousId: device, name: "Photo", properties: step("id_photo_front") });
await wait();
analytics.track({ userId: user, event: "photo_rejected", properties: { application_id: "a1" } });
await analytics.flush({ timeout: 40_000 });
