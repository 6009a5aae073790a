/// Files that the hub makes, kept by the browser: asked for with the session, which no link can carry.
import { Problem } from '@/api/client'
import { zh } from '@/text/zh'
import { session } from './session'

export const forms = {
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv',
  html: 'text/html',
} as const
export type Form = keyof typeof forms

/// Fetches `path` in a form and hands it to the browser as `name`.
export async function save(path: string, form: Form, name: string): Promise<void> {
  const response = await fetch(path, {
    headers: { Accept: forms[form], Authorization: `Bearer ${session.value?.token ?? ''}` },
  }).catch(() => {
    throw new Problem(0, 'UNREACHABLE', zh.problem.unreachable)
  })
  if (!response.ok) throw Problem.of(response.status, await response.json().catch(() => undefined), null)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = `${name}.${form}`
  link.click()
  URL.revokeObjectURL(link.href)
}
