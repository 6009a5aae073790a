/// What a page reads from its own address. On the way to another page the address is that page's already; what was read
/// last stands until this page is gone, so that nothing is asked for in passing.
import { shallowRef, watch, type ShallowRef } from 'vue'
import { useRoute, type RouteLocationNormalizedLoaded } from 'vue-router'

export function useAddress<T>(page: string, read: (route: RouteLocationNormalizedLoaded) => T): Readonly<ShallowRef<T>> {
  const route = useRoute()
  const now = shallowRef(read(route))
  watch(
    () => route.fullPath,
    () => {
      if (route.name === page) now.value = read(route)
    },
    { flush: 'sync' },
  )
  return now
}
