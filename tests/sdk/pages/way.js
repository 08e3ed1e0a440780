// A customer's way as two pages of a bank tell it: a device nobody is known on, then a sign-in, and on.
// The SDKs are set up as their own documentation says, and told nothing but the collector's address.

const segment = ({ host, key }, deliveryStrategy) => {
  const collector = { apiHost: `${new URL(host).host}/v1`, protocol: "http", deliveryStrategy };
  return AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: host },
    { integrations: { "Segment.io": collector } },
  );
};

const rudderstack = ({ host, key }, options) => {
  const analytics = new rudderanalytics.RudderAnalytics();
  analytics.load(key, host, { configUrl: host, ...options });
  return analytics;
};

const settings = {
  "segment": (told) => segment(told),
  "segment, batching": (told) => segment(told, { strategy: "batching", config: { size: 10, timeout: 300 } }),
  "rudderstack": (told) => rudderstack(told),
  "rudderstack, batching": (told) =>
    rudderstack(told, { queueOptions: { batch: { enabled: true, flushInterval: 300 } } }),
  "rudderstack, beacon": (told) =>
    rudderstack(told, { useBeacon: true, beaconQueueOptions: { flushQueueInterval: 300 } }),
};

const traits = { name: "Wei", phone: "+8613800138000", time_zone: "Asia/Shanghai" };
const step = (name) => ({ step: name, application_id: "a1" });
// What happens in one millisecond has no order: the SDKs write times in whole ones.
const wait = () => new Promise((done) => setTimeout(done, 5));

const pages = {
  "/loan": async (analytics) => {
    analytics.page("Loan", step("register"));
    await wait();
    analytics.track("sms_code_late", step("register"));
  },
  "/photo": async (analytics, user) => {
    analytics.identify(user, traits);
    await wait();
    analytics.page("Photo", step("id_photo_front"));
    await wait();
    analytics.track("photo_rejected", { application_id: "a1" });
  },
};

const tell = (told) => pages[location.pathname](settings[told.sdk](told), told.user);
