/** What the page of a dataset shows, and what its side panel does. */
export type PageTab = 'records' | 'statistics' | 'snapshots';
export type SideTab = 'record' | 'findings' | 'matches';
