// The kinds of value that name places of a network. Nothing is resolved or opened.
// As in kinds.ts a message is the second half of a sentence that begins with the key.
import { z } from 'zod'
import { isLoopback, isNetwork, normalizeDomain, parseListen } from './addresses.ts'
import { say } from './kinds.ts'

type Context = z.core.$RefinementCtx

/** Reads each of a list, and reports those that cannot be read; of several it says which. */
const readEach = <Written, Read>(
  list: readonly Written[],
  read: (one: Written) => Read | undefined,
  sentence: string,
  context: Context,
): readonly Read[] =>
  list.flatMap((one) => {
    const result = read(one)
    if (result !== undefined) return [result]
    const message = list.length > 1 ? `holds ${JSON.stringify(one)}, and ${sentence}` : sentence
    context.addIssue({ code: 'custom', message })
    return []
  })

const listenSentence = 'must be an address such as "127.0.0.1:8080", ":8080" or "[::]:80", a port, or a list of these'

export const listenAddresses = (fallback: string) =>
  z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()])).min(1)], say(listenSentence))
    .transform((value, context) =>
      readEach(Array.isArray(value) ? value : [value], parseListen, listenSentence, context),
    )
    .meta({ title: 'address, port, or list' })
    .prefault(fallback)

const loopbackSentence =
  'must be an address of this machine alone with a port, such as "127.0.0.1:9464" or "[::1]:9464"'

/** An address in 127.0.0.0/8 or ::1: names are not taken, since where they lead is decided elsewhere (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export const loopbackAddress = () =>
  z
    .union([z.string(), z.number()], say(loopbackSentence))
    .transform((value, context) => {
      const address = parseListen(value)
      if (address !== undefined && isLoopback(address.host)) return address
      context.addIssue({ code: 'custom', message: loopbackSentence })
      return z.NEVER
    })
    .meta({ title: 'loopback address' })

const domainSentence = 'must be a domain such as "example.com", or a list of them'

export const domainList = (fallback: string) =>
  z
    .union([z.string(), z.array(z.string()).min(1)], say(domainSentence))
    .transform((value, context): readonly string[] => [
      ...new Set(readEach(Array.isArray(value) ? value : [value], normalizeDomain, domainSentence, context)),
    ])
    .meta({ title: 'domain, or list' })
    .prefault(fallback)

const networkSentence = 'must be an IP address or a network such as "10.0.0.0/8"'

export const networkList = () =>
  z
    .array(
      z.string(say(networkSentence)).refine(isNetwork, say(networkSentence)),
      say('must be a list of IP addresses and networks'),
    )
    .readonly()
    .meta({ title: 'list of networks' })
    .prefault([])
