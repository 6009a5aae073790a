/// What holds numbers of documents goes through the office's agent on this machine: they become tokens there and never
/// reach the hub, and the office's certificate vouches for the office. The page only knows on which port of this machine the agent listens.
import { ref } from 'vue'
import { zh } from '@/text/zh'
import { askBeside, Problem, type Schemas } from './client'

const key = 'agent-port'
const usual = 7800

const port = (text: string | null): number | null => {
  const number = Number(text)
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : null
}

export const agentPort = ref(usual)

/// Takes the port from a link (`?agent=7801`) and remembers it, or remembers what was taken before.
export function findAgent(linked: string | null): void {
  const found = port(linked)
  if (found) localStorage.setItem(key, String(found))
  agentPort.value = found ?? port(localStorage.getItem(key)) ?? usual
}

export interface Question {
  purpose: string
  case_reference: string
  matter_type: string
  parties: { role: string; kind: string; number: string }[]
  /// Without a verified number: compared by name and what else is known.
  persons: { role: string; name: string; birth?: string; sex?: string; phone?: string }[]
  subjects: { kind: string; number: string }[]
  place_of_use?: string
  /// What is to become of the own office's intent to accept the matter.
  intent?: 'register' | 'withdraw'
}

export interface Hit {
  office_id: string
  office_name: string
  case_no: string
  matter_type: string
  state: string
  /// Days since 1970-01-01.
  accepted_day: number | null
  matched_on: string[]
  masked_names: string[]
  severity: string
  first_accepting: boolean
  /// Why it is held to be somebody's, when no equal number says so.
  person: PersonMatch | null
}

export interface PersonMatch {
  /// Which of those asked about, from 0: parties before persons.
  party: number
  decision: string
  /// Thousandths of a bit.
  weight_millibits: number | null
  /// Its parts stand apart by `；`; empty where names may not be told.
  explanation_zh: string
}

export interface Feed {
  office_id: string
  office_name: string
  last_commit_at: number | null
  caught_up_at: number | null
  connected: boolean
}

export interface Answer {
  hits: Hit[]
  truncated: boolean
  feeds: Feed[]
  receipt: { audit_entry: number; recorded_at: number | null; leaf_hash: string } | null
  intents: { office_id: string; office_name: string; matter_type: string; registered_at: number | null }[]
  /// Until when the own intent stands; null where none was registered.
  intent_expires_at: number | null
}

/// A filing with numbers of documents, as `office-agent file` takes it.
export interface Filing {
  kind: string
  filing_id: string
  source_case_id: string
  text: string
  fields: Record<string, unknown>
}

/// Asks through the agent of this machine.
export const check = (question: Question): Promise<Answer> => tell('check', question)

/// Hands a filing in through the agent of this machine.
export const file = (filing: Filing): Promise<Schemas['ReceiptAnswer']> => tell('file', filing)

async function tell<T>(what: 'check' | 'file', said: object): Promise<T> {
  const how: RequestInit = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(said),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  }
  const noAgent = (): Problem => new Problem(0, 'NO_AGENT', zh.check.noAgent(agentPort.value))
  const answer = await askBeside(`http://127.0.0.1:${agentPort.value}/v1/${what}`, how, noAgent)
  return (await answer.json()) as T
}
