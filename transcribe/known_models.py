"""Published models that are known by name: Whisper in CTranslate2's form, and what tells voices apart.

Revisions and digests are those of the commits that were current when this was written; every file of a fetched model is compared with what
the hub says of it, and the weights with the digest here.
"""

from archive.model_files import PublishedModel

SPEECH, VOICES = "speech to text", "telling voices apart"
# What an engine reads of a CTranslate2 folder; of each model there are only some.
CTRANSLATE2_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.json", "vocabulary.txt")
_OLDER = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
_NEWER = ("config.json", "model.bin", "preprocessor_config.json", "tokenizer.json", "vocabulary.json")
_VOICES_REPOSITORY, _VOICES_REVISION = "csukuangfj/speaker-embedding-models", "main"


def _whisper(name: str, repository: str, revision: str, size_bytes: int, weights: str | None) -> PublishedModel:
    digests = {"model.bin": f"sha256:{weights}"} if weights else {}
    files = _NEWER if name.startswith("large-v3") else _OLDER
    return PublishedModel(name, SPEECH, repository, revision, size_bytes, files, digests, CTRANSLATE2_FILES)


def _voices(name: str, file: str, size_bytes: int, digest: str) -> PublishedModel:
    return PublishedModel(name, VOICES, _VOICES_REPOSITORY, _VOICES_REVISION, size_bytes, (file,), {file: f"sha256:{digest}"})


_WHISPER = (
    _whisper(
        "tiny",
        "Systran/faster-whisper-tiny",
        "d90ca5fe260221311c53c58e660288d3deb8d356",
        78_203_619,
        "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
    ),
    _whisper(
        "base",
        "Systran/faster-whisper-base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        147_882_941,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    _whisper(
        "small",
        "Systran/faster-whisper-small",
        "536b0662742c02347bc0e980a01041f333bce120",
        486_212_372,
        "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
    ),
    _whisper(
        "medium",
        "Systran/faster-whisper-medium",
        "08e178d48790749d25932bbc082711ddcfdfbc4f",
        1_530_571_735,
        "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
    ),
    _whisper("large-v2", "Systran/faster-whisper-large-v2", "f0fe81560cb8b68660e564f55dd99207059c092e", 3_089_000_000, None),
    _whisper(
        "large-v3",
        "Systran/faster-whisper-large-v3",
        "edaa852ec7e145841d8ffdb056a99866b5f0a478",
        3_090_835_702,
        "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
    ),
    _whisper(
        "large-v3-turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
        1_621_400_000,
        "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
    ),
)
KNOWN_MODELS: dict[str, PublishedModel] = {model.name: model for model in _WHISPER}

_TELLING_VOICES_APART = (
    _voices(
        "voices-campplus-zh",
        "3dspeaker_speech_campplus_sv_zh-cn_16k-common.onnx",
        28_281_138,
        "f682b514c05d947ee3fa91cd6ec6c5c7543479a128373fa29b1faedccd21fd11",
    ),
    _voices(
        "voices-eres2netv2-zh",
        "3dspeaker_speech_eres2netv2_sv_zh-cn_16k-common.onnx",
        71_441_526,
        "bf1a75b9930474cf3389ef415e6e5d38ca96fea4a3a00f7e301d080a58ee2239",
    ),
)
KNOWN_VOICES: dict[str, PublishedModel] = {model.name: model for model in _TELLING_VOICES_APART}
