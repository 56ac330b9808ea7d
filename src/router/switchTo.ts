// Goes on in another protocol, when client and instance have agreed on one.
import type { Upgraded } from './attempt.ts'
import { answer, closeTunnel } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import type { OnHead } from './passOn.ts'
import { switchingHead, tunnel } from './tunnel.ts'

/** Speaks the other protocol until both sides have closed. */
export const switchTo = async (
  service: Service,
  exchange: Exchange,
  name: string,
  { socket, raw }: Upgraded,
  onHead: OnHead,
): Promise<void> => {
  const { req, res, upgrade } = exchange
  const head = upgrade && switchingHead(raw, upgrade.protocols, onHead())
  if (!upgrade || !head) {
    socket.destroy()
    return answer(service, exchange, name, { reason: 'upstream_protocol', delivered: true })
  }
  res.detachSocket(req.socket)
  req.socket.write(head)
  socket.write(upgrade.waiting.takeEarly())
  service.report({ kind: 'answered', instance: name, status: 101, durationMs: undefined })
  await tunnel(req.socket, socket, {
    pace: service.patience.read,
    onSlow: (side) => {
      closeTunnel(service, exchange, name, side)
      socket.destroy()
    },
  })
}
