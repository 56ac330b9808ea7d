// What every instance under bubblewrap is promised on every machine that can run it at all.
// A network of its own is listed since an instance that asks for it gets it, or is not started.
import type { IsolationAdapter } from '../adapter.ts'

export const bubblewrapCapabilities: IsolationAdapter['capabilities'] = {
  'fs.privateRoot': 'enforced',
  'fs.readOnlyRoot': 'enforced',
  'fs.privateTmp': 'enforced',
  'fs.noHostSymlink': 'enforced',
  'fs.secrets': 'enforced',
  'pid.private': 'enforced',
  'ipc.private': 'enforced',
  'uts.private': 'enforced',
  'cgroup.private': 'enforced',
  'user.ns': 'enforced',
  'user.perTenantUid': 'enforced',
  'priv.noNew': 'enforced',
  'caps.none': 'enforced',
  'fd.clean': 'enforced',
  'env.clean': 'enforced',
  'net.private': 'enforced',
  'net.egress': 'enforced',
  'syscalls.filtered': 'enforced',
  'abi.nativeOnly': 'enforced',
  'res.memory': 'enforced',
  'res.pids': 'enforced',
  'res.cpu': 'enforced',
  'res.files': 'enforced',
  'kill.atomic': 'enforced',
  'tty.none': 'enforced',
  'core.none': 'enforced',
  'restart.survives': 'enforced',
  'launch.attested': 'enforced',
}
