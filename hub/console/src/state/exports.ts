/// Files that people take away: handed over at once; where there is too much for that, the hub makes them and they are found
/// again under 我的导出.
import { api, ask, Problem, type Schemas } from '@/api/client'
import { save } from '@/state/save'

export type Export = Schemas['Export']
export type Subject = Schemas['ExportSubject']
export type FileForm = Schemas['ExportForm']
export type Wanted = Readonly<Record<string, string>>

const paths = {
  statistics: '/api/v1/statistics',
  findings: '/api/v1/supervision/findings',
  audit: '/api/v1/audit/entries',
  duplicates: '/api/v1/reviews/duplicates',
} as const satisfies Record<Subject, string>

/// Says whether the browser has the file now, or the hub makes it.
export async function takeAway(subject: Subject, query: Wanted, form: FileForm, name: string): Promise<'saved' | 'begun'> {
  const path = paths[subject]
  try {
    await save(`${path}?${new URLSearchParams(query)}`, form, name)
    return 'saved'
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.reason !== 'EXPORT_NEEDED') throw thrown
  }
  await ask(api.POST(`${path}/exports`, { params: { query }, body: { form } }))
  return 'begun'
}

/// A file that the hub has made.
export const take = ({ export_id, form, name_zh }: Export): Promise<void> =>
  save(`/api/v1/exports/${export_id}/file`, form, name_zh)
