import { conformance } from 'tenement/conformance'
import * as runner from 'vitest'

await conformance({ plugin: new URL('..', import.meta.url), runner })
