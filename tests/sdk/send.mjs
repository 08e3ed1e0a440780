// A customer's way as a Node service tells it: a device nobody is known on, a sign-in, and on.
// Usage: node send.mjs <segment or rudderstack> <address of the collector> <write key> <user> <device>
const [sdk, host, key, user, device] = process.argv.slice(2);

const sdks = {
  segment: async () => {
    const { Analytics } = await import("@segment/analytics-node");
    return new Analytics({ writeKey: key, host, flushInterval: 200 });
  },
  rudderstack: async () => {
    const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
    return new Analytics(key, { dataPlaneUrl: host, flushInterval: 200 });
  },
};
const traits = { name: "Wei", phone: "+8613800138000", time_zone: "Asia/Shanghai" };
const step = (name) => ({ step: name, application_id: "a1" });
// What happens in one millisecond has no order: the SDKs write times in whole ones.
const wait = () => new Promise((done) => setTimeout(done, 5));

const analytics = await sdks[sdk]();
analytics.page({ anonymousId: device, name: "Loan", properties: step("register") });
await wait();
analytics.track({ anonymousId: device, event: "sms_code_late", properties: step("register") });
await wait();
analytics.identify({ userId: user, anonymousId: device, traits });
await wait();
analytics.page({ userId: user, anonymousId: device, name: "Photo", properties: step("id_photo_front") });
await wait();
analytics.track({ userId: user, event: "photo_rejected", properties: { application_id: "a1" } });
await analytics.flush(sdk === "segment" ? { timeout: 40_000 } : undefined);
