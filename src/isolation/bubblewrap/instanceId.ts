// The id in the name of an instance; the host name of the network or machine that the instance believes to be on.

/** 'alice' of 'notes:alice'. The grammar of ids is that of a label of a host name (names.ts). */
export const instanceId = (instance: string): string => instance.slice(instance.indexOf(':') + 1)
