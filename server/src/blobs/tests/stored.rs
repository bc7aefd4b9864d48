use super::*;

async fn keeps_its_promises(blobs: Blobs, folder: &Path) {
    let bytes = photo(1);
    let (hash, file) = staged(folder, &bytes);
    assert_eq!(blobs.size(hash).await, Ok(None));
    assert_eq!(blobs.get(hash).await, Err(BlobError::Missing));
    blobs.put_verified(hash, file.clone()).await.unwrap();
    assert!(!file.exists(), "the staging file is taken away");
    assert_eq!(blobs.size(hash).await, Ok(Some(bytes.len() as u64)));
    assert_eq!(blobs.get(hash).await.unwrap(), bytes);

    let part = blobs.stream(hash, Some((6..13).into())).await.unwrap();
    assert_eq!((part.size_bytes, part.range.clone()), (bytes.len() as u64, 6..13));
    let read: Vec<Bytes> = part.stream.try_collect().await.unwrap();
    assert_eq!(read.concat(), &bytes[6..13]);

    store(&blobs, folder, &bytes).await;
    let other = store(&blobs, folder, &photo(2)).await;
    let mut listed: Vec<_> = blobs.list().map(|found| found.unwrap().0).collect().await;
    listed.sort();
    let mut expected = vec![hash, other];
    expected.sort();
    assert_eq!(listed, expected);

    blobs.delete(hash).await.unwrap();
    blobs.delete(hash).await.unwrap();
    assert_eq!(blobs.get(hash).await, Err(BlobError::Missing));
    assert_eq!(blobs.get(other).await.unwrap(), photo(2));
}

#[tokio::test]
async fn a_folder_stores_reads_lists_and_removes() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(Blobs::in_folder(folder.path()).unwrap(), folder.path()).await;
}

#[tokio::test]
async fn memory_stores_reads_lists_and_removes() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(Blobs::in_memory(), folder.path()).await;
}

#[tokio::test]
async fn a_thousand_photos_cost_few_flushes_of_folders() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let files: Vec<_> = (0..1000).map(|number| staged(folder.path(), &photo(number))).collect();
    let storing = files.into_iter().map(|(hash, file)| blobs.put_verified(hash, file));
    futures::future::try_join_all(storing).await.unwrap();
    blobs.settle().await.unwrap();
    let stats = blobs.stats();
    assert_eq!(stats.photos, 1000);
    // One for each batch, and each of the 256 folders and their parent once.
    assert!(stats.folder_flushes <= stats.batches + 257, "{stats:?}");
    assert!(stats.batches <= 100, "{stats:?}");
    assert_eq!(fs::read_dir(folder.path().join("blobs/unsettled")).unwrap().count(), 0);
    assert_eq!(blobs.list().count().await, 1000);
}

#[tokio::test]
async fn photos_whose_links_a_crash_swallowed_are_brought_home() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let hash = store(&blobs, folder.path(), &photo(1)).await;
    // The flushed name stands, the link was never flushed.
    let home = folder.path().join("blobs").join(layout::place(hash));
    fs::remove_file(home).unwrap();
    assert_eq!(blobs.get(hash).await, Err(BlobError::Missing));
    let reopened = Blobs::in_folder(folder.path()).unwrap();
    assert_eq!(reopened.get(hash).await.unwrap(), photo(1));
    assert_eq!(fs::read_dir(folder.path().join("blobs/unsettled")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_removed_photo_does_not_come_back_with_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let hash = store(&blobs, folder.path(), &photo(1)).await;
    blobs.delete(hash).await.unwrap();
    assert_eq!(Blobs::in_folder(folder.path()).unwrap().size(hash).await, Ok(None));
}

#[tokio::test]
async fn one_lost_staging_file_does_not_harm_the_others_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let mut files: Vec<_> = (0..20).map(|number| staged(folder.path(), &photo(number))).collect();
    files[7].1 = folder.path().join("nowhere");
    let outcomes =
        futures::future::join_all(files.iter().map(|(hash, file)| blobs.put_verified(*hash, file.clone()))).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), index != 7, "{index}: {outcome:?}");
    }
    assert_eq!(blobs.size(files[7].0).await, Ok(None));
}

#[tokio::test]
async fn files_that_are_no_photos_are_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    store(&blobs, folder.path(), &photo(1)).await;
    fs::create_dir_all(folder.path().join("blobs/ab")).unwrap();
    fs::write(folder.path().join("blobs/ab/.directory"), "x").unwrap();
    assert_eq!(blobs.list().count().await, 1);
}

#[tokio::test]
async fn a_photo_damaged_on_the_disk_is_whole_again_once_somebody_sends_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let hash = store(&blobs, folder.path(), &photo(1)).await;
    blobs.settle().await.unwrap();
    let name = hex::encode(hash.as_bytes());
    let place = folder.path().join("blobs").join(&name[..2]).join(&name[2..]);
    assert_eq!(fs::read(&place).unwrap(), photo(1));
    fs::write(&place, b"rotten").unwrap();
    store(&blobs, folder.path(), &photo(1)).await;
    blobs.settle().await.unwrap();
    assert_eq!(fs::read(&place).unwrap(), photo(1));
    assert_eq!(fs::read_dir(folder.path().join("blobs/unsettled")).unwrap().count(), 0);
}
