//! Reading rows of the live builds.

use std::{future::Future, sync::Arc};

use eventlog::StoreError;

use super::{Shared, Views, slot::Slot};
use crate::{Cursor, ListQuery, Page, View, ViewError, query::MAX_PAGE, store::Table};

impl Views {
    /// The row with this key, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get<V: View>(&self, key: &str) -> Result<Option<V::Row>, ViewError> {
        let slot = self.shared.slot_of::<V>()?;
        let store = &self.shared.store;
        let doc = self.shared.on_live(slot, |table| store.get(table, key.to_owned())).await?;
        doc.map(|doc| parse::<V>(key, &doc)).transpose()
    }

    /// A page of rows.
    ///
    /// # Errors
    /// A filter by a column that the view does not have, or a store that fails.
    pub async fn list<V: View>(&self, query: ListQuery) -> Result<Page<V::Row>, ViewError> {
        let limit = query.limit.clamp(1, MAX_PAGE);
        Ok(page(self.found::<V>(&query, limit).await?, limit))
    }

    /// Up to one row more than `limit`, which tells whether there is more, each with its place.
    pub(super) async fn found<V: View>(
        &self,
        query: &ListQuery,
        limit: usize,
    ) -> Result<Vec<(Cursor, V::Row)>, ViewError> {
        let slot = self.shared.slot_of::<V>()?;
        for (column, _) in &query.filters {
            if !slot.table().has_column(column) {
                return Err(ViewError::UnknownColumn { view: V::NAME, column: (*column).to_owned() });
            }
        }
        let query = ListQuery { limit: limit + 1, ..query.clone() };
        let store = &self.shared.store;
        let found = self.shared.on_live(slot, |table| store.list(table, query.clone())).await?;
        let row = |(cursor, doc): (Cursor, String)| parse::<V>(&cursor.key, &doc).map(|row| (cursor, row));
        found.into_iter().map(row).collect()
    }
}

/// The first `limit` of these rows.
pub(super) fn page<R>(mut found: Vec<(Cursor, R)>, limit: usize) -> Page<R> {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(cursor, _)| cursor.clone());
    Page { rows: found.into_iter().map(|(_, row)| row).collect(), next, has_more }
}

impl Shared {
    /// Asks the live build. If it was replaced long enough ago to be dropped, asks the one that is live now.
    async fn on_live<T, F>(&self, slot: &Slot, ask: impl Fn(Arc<Table>) -> F) -> Result<T, ViewError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let table = slot.table();
        match ask(table.clone()).await {
            Err(StoreError::Sql(_)) if self.live_table(slot, &table).await? => Ok(ask(slot.table()).await?),
            answer => Ok(answer?),
        }
    }

    /// Looks up which build is live; returns whether it is another than `known`.
    async fn live_table(&self, slot: &Slot, known: &Table) -> Result<bool, ViewError> {
        slot.look_up(&self.store.registered().await?);
        Ok(slot.table().build != known.build)
    }
}

fn parse<V: View>(key: &str, doc: &str) -> Result<V::Row, ViewError> {
    serde_json::from_str(doc).map_err(|error| ViewError::Row {
        view: V::NAME,
        key: key.to_owned(),
        reason: error.to_string(),
    })
}
