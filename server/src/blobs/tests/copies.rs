use image::ImageFormat;
use xunge_client_core::photo::metadata_segments;
use xunge_client_core::photo::synthetic::{self, Moment};

use super::derive::{Copies, Size};
use super::*;

struct Bench {
    blobs: Blobs,
    copies: Copies,
    folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    Bench { copies: Copies::in_folder(folder.path(), blobs.clone()), blobs, folder }
}

fn with_comment(jpeg: &[u8]) -> Vec<u8> {
    [&jpeg[..2], b"\xFF\xFE\x00\x07house", &jpeg[2..]].concat()
}

#[tokio::test]
async fn copies_are_small_readable_and_without_metadata() {
    let bench = bench();
    let photo = with_comment(&synthetic::jpeg(1, Moment::Before, 800, 600));
    let hash = store(&bench.blobs, bench.folder.path(), &photo).await;
    for (size, width) in [(Size::Thumb, 320), (Size::Full, 800)] {
        let copy = bench.copies.get(hash, size).await.unwrap().unwrap();
        assert_eq!(metadata_segments(&copy), []);
        let picture = image::load_from_memory_with_format(&copy, ImageFormat::Jpeg).unwrap();
        assert_eq!(picture.width(), width);
    }
    assert_eq!(bench.blobs.get(hash).await.unwrap(), photo, "the original is untouched");
}

#[tokio::test]
async fn a_copy_is_made_once_and_made_again_when_it_was_deleted() {
    let bench = bench();
    let photo = synthetic::jpeg(2, Moment::Before, 640, 480);
    let hash = store(&bench.blobs, bench.folder.path(), &photo).await;
    let first = bench.copies.get(hash, Size::Thumb).await.unwrap().unwrap();
    bench.blobs.delete(hash).await.unwrap();
    assert_eq!(bench.copies.get(hash, Size::Thumb).await.unwrap().unwrap(), first, "read from the folder");
    fs::remove_dir_all(bench.folder.path().join("derived")).unwrap();
    assert_eq!(bench.copies.get(hash, Size::Thumb).await, Err(BlobError::Missing));
    store(&bench.blobs, bench.folder.path(), &photo).await;
    assert_eq!(bench.copies.get(hash, Size::Thumb).await.unwrap().unwrap(), first);
}

#[tokio::test]
async fn an_original_over_seven_megapixels_is_never_decoded() {
    let bench = bench();
    // One grey of 3000 x 2400: the file is small, only its header says so.
    let grey = image::GrayImage::from_pixel(3000, 2400, image::Luma([90]));
    let mut file = std::io::Cursor::new(Vec::new());
    grey.write_to(&mut file, ImageFormat::Png).unwrap();
    let hash = store(&bench.blobs, bench.folder.path(), &file.into_inner()).await;
    assert_eq!(bench.copies.get(hash, Size::Thumb).await, Ok(None));
    assert_eq!(bench.copies.get(hash, Size::Full).await, Ok(None));
}

#[tokio::test]
async fn a_preview_larger_than_phones_make_them_is_not_decoded() {
    let bench = bench();
    let thumb = async |width, height| {
        let preview = synthetic::jpeg(3, Moment::Before, width, height);
        bench.copies.thumb_of(preview.into()).await.unwrap()
    };
    assert!(thumb(320, 240).await.is_some());
    assert_eq!(thumb(400, 300).await, None);
}

#[tokio::test]
async fn what_is_no_picture_has_no_copy_and_is_not_tried_again() {
    let bench = bench();
    let hash = store(&bench.blobs, bench.folder.path(), b"<script>alert(1)</script>").await;
    assert_eq!(bench.copies.get(hash, Size::Thumb).await, Ok(None));
    bench.blobs.delete(hash).await.unwrap();
    assert_eq!(bench.copies.get(hash, Size::Thumb).await, Ok(None));
    assert_eq!(bench.copies.get(PhotoHash::of(b"never stored"), Size::Thumb).await, Err(BlobError::Missing));
}
