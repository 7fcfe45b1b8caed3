/**
 * Imported before onnxruntime-node, wherever that is; what counts is the main thread, whose environment native code reads. From 1.29 on the library tells Microsoft about every process that uses it (its name, the
 * processor, a device id kept on disk: microsoft/onnxruntime#27379) unless one of these is set; which one depends on its version. Here
 * nothing leaves the machine that `egress.allow` does not name.
 */
for (const name of ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED']) process.env[name] = '1';
