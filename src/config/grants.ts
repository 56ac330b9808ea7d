// The paths a service is granted beyond its folder and its data, each with the place in the file that says so. Pure.
import type { KeyPath } from './problem.ts'
import type { Service } from './schema.ts'

export interface Grant {
  readonly key: KeyPath
  readonly path: string
  readonly isWritable: boolean
}

/** Those of the service and those of single tenants. */
export const grantsOf = ({ name, read, write, tenant }: Service): readonly Grant[] => {
  const listed = (paths: readonly string[] | undefined, isWritable: boolean, ...rest: KeyPath): readonly Grant[] =>
    (paths ?? []).map((path, index) => ({ key: ['service', name, ...rest, index], path, isWritable }))
  return [
    ...listed(read, false, 'read'),
    ...listed(write, true, 'write'),
    ...Object.entries(tenant).flatMap(([id, own]) => [
      ...listed(own.read, false, 'tenant', id, 'read'),
      ...listed(own.write, true, 'tenant', id, 'write'),
    ]),
  ]
}
