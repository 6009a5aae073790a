/// Files that the hub makes, kept by the browser: asked for with the session, which no link can carry.
import { askBeside } from '@/api/client'

export const forms = {
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv',
  html: 'text/html',
} as const
export type Form = keyof typeof forms

/// Fetches `path` in a form and hands it to the browser as `name`.
export async function save(path: string, form: Form, name: string): Promise<void> {
  const file = await askBeside(path, { headers: { Accept: forms[form] } })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await file.blob())
  link.download = `${name}.${form}`
  link.click()
  URL.revokeObjectURL(link.href)
}
