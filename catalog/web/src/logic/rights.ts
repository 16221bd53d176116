/** What a user may do with an item, as far as the page can tell. The server decides. */

interface Shared {
  owner: string
  editors?: { _id: string }[]
}

interface Reader {
  userId: string
  isAdmin: boolean
}

export function rightsOf(item: Shared, reader: Reader | null): { mayManage: boolean; mayChange: boolean } {
  const mayManage = Boolean(reader?.isAdmin || reader?.userId === item.owner)
  return { mayManage, mayChange: mayManage || Boolean(item.editors?.some((each) => each._id === reader?.userId)) }
}
