// The two architectures filters are made for, and what each is called: by the kernel (AUDIT_ARCH_* of linux/audit.h, which
// libseccomp uses as its own tokens), in OCI profiles, and in the `includes` of Docker's.

export interface Architecture {
  readonly name: 'x86_64' | 'aarch64'
  /** What stands in `arch` of struct seccomp_data. */
  readonly audit: number
  readonly oci: string
  readonly docker: string
}

export const architectures: Readonly<Record<Architecture['name'], Architecture>> = {
  x86_64: { name: 'x86_64', audit: 0xc000003e, oci: 'SCMP_ARCH_X86_64', docker: 'amd64' },
  aarch64: { name: 'aarch64', audit: 0xc00000b7, oci: 'SCMP_ARCH_AARCH64', docker: 'arm64' },
}

const byNodeName: Readonly<Record<string, Architecture>> = {
  x64: architectures.x86_64,
  arm64: architectures.aarch64,
}

/** The architecture of the machine that Node calls `nodeName` (process.arch); undefined where no filters can be made for it. */
export const architectureOf = (nodeName: string): Architecture | undefined =>
  Object.hasOwn(byNodeName, nodeName) ? byNodeName[nodeName] : undefined
